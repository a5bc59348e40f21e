"""SCIM 2.0 (RFC 7643, RFC 7644): another system keeps the logins of a project in step."""
