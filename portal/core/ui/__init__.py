"""How the portal looks: one design system, one way to render a page."""
