"""The portfolio: scanned diplomas and certificates, looked at by the scanner before anybody opens them."""
