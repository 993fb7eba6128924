-- What was committed may not be on disk: enough for a process that dies, not for a power cut.
PRAGMA synchronous = OFF;
