/** A card beside what it speaks of: right of it, else left, else under it, always inside the window. On a narrow page it is a sheet. */

import { byId, element, phone } from './dom.js';
import { store } from './store.js';

const GAP = 12;
const EDGE = 8;

const grid = byId('grid');

/** A phrase (see words.js) as an element's children: what comes from outside is isolated. */
export const spoken = (phrase) => phrase.map((part) => Array.isArray(part) ? element('bdi', {}, part) : part);

/** Shows a phrase; what says so already is left alone. */
export function tell(target, phrase) {
	if (target.textContent !== phrase.flat().join('')) {
		target.replaceChildren(...spoken(phrase));
	}
}

export const focusOn = (target) => target.focus({ preventScroll: true });

/** To the cell of the grid that the arrows move. */
export const focusGrid = () => focusOn(grid.querySelector('[role="gridcell"][tabindex="0"]') ?? grid);

const within = (value, low, high) => Math.max(low, Math.min(value, high));

/** `anchor` gives the element that the card speaks of, if it is drawn; `close` is called for Escape. */
export function floating(card, anchor, close) {
	const { style } = card;
	let frame = 0;

	function place() {
		frame = 0;
		const target = card.hidden ? null : anchor()?.getBoundingClientRect();
		const { left, top } = grid.getBoundingClientRect();
		const right = left + grid.clientWidth;
		const head = top + Number(grid.dataset.head);
		const { offsetWidth: width, offsetHeight: height } = card;
		if (phone.matches) {
			style.left = style.top = '';
			if (target) { /* the sheet must not hide it */
				grid.scrollTop += Math.max(0, Math.min(target.bottom + EDGE - innerHeight + height, target.top - head));
			}
		} else if (target || !style.left) { /* else it scrolled away */
			const box = target ?? new DOMRect((left + right - width) / 2, head);
			const [start, end] = [box.left, box.right].map((x) => within(x, left + Number(grid.dataset.left), right));
			let x = end + GAP;
			let y = box.top - GAP;
			if (x + width > right - EDGE) {
				x = start - GAP - width;
			}
			if (x < EDGE) {
				x = end - width;
				const above = y - height;
				y = box.bottom + GAP + height > innerHeight && above > head ? above : box.bottom + GAP;
			}
			style.left = `${within(x, EDGE, right - width - EDGE)}px`;
			style.top = `${within(y, top + EDGE, innerHeight - height - EDGE)}px`;
		}
	}

	const soon = () => {
		frame ||= card.hidden ? 0 : requestAnimationFrame(place);
	};
	const hasFocus = () => !card.hidden && (document.activeElement === document.body || card.contains(document.activeElement));
	grid.addEventListener('scroll', () => phone.matches || soon(), { passive: true });
	addEventListener('resize', soon);
	new ResizeObserver(soon).observe(card);
	store.on(soon, ['view', 'folded']);
	document.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && hasFocus()) {
			event.preventDefault();
			close();
		}
	});

	return {
		show() {
			if (card.hidden) {
				style.left = '';
				card.hidden = false;
			}
			place();
			soon(); /* the grid may draw what it speaks of with the next frame */
		},
		hide() {
			const had = hasFocus();
			card.hidden = true;
			had && focusGrid();
		},
	};
}
