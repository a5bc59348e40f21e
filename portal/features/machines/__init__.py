"""The pages of joined systems: who keeps logins in step with ours, and who is told of changes."""
