"""`python -m infra` is `elumiti`: how the supervisor starts our own subcommands with its own interpreter."""

from infra.cli import main

main()
