"""The plugins that come with the server, one small file each."""
