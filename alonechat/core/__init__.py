"""The parts without a face: the wire protocol, the server, the store, the bus and the client."""
