"""Settings, migrations, the embedded servers and their supervisor. Imports no part."""
