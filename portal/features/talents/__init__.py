"""The talents: found by rules over published results, reached by named specialists alone (SPEC R2)."""
