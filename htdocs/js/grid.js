/** The grid of GPUs by day. */
export function mountGrid(/** @type {import('./store.js').Store} */ store) {
    const { now } = store.state;
    store.cover(Math.floor(now) - 24, Math.floor(now) + 480);
}
