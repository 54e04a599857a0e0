"""A reaction front on a fixed mesh, free to roughen: transport, growth, and the stress it makes."""
