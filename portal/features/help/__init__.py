"""Help, the demo's page, and the living page of the design system."""
