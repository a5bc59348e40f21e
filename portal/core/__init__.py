"""What all features share: who is asking, what he may, what is on record, and how a page looks."""
