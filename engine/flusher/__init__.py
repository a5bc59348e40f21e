"""The flusher: from the streams into Postgres, exactly once (docs/rules/saving.md, rules 2–5, 7)."""
