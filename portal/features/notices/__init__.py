"""What concerns me: notices, and which of them come by mail too."""
