"""El Úmiti as a provider of OpenID Connect: other systems sign their people in here, and out again."""
