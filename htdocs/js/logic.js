/** Geometry, selection, overlap: pure. */
export {};
