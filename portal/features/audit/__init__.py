"""The audit trail: read, filtered, checked, taken away."""
