"""The desired children of a SergasMonitoring. Pure: the same input gives the same objects, byte for byte."""
