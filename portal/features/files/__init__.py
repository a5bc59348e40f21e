"""Files of the object store by signed links."""
