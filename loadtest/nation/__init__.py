"""The simulated nation: hundreds of thousands of pupils over the real HTTP interface, open loop, with a ledger."""
