"""Breaking it on purpose, under load and with the ledger. One case a module of one idea; `make chaos` runs them."""
