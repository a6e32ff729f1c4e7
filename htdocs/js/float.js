/** A card beside what it speaks of: right of it, else left, else under it, always inside the window. On a narrow page it is a sheet. */

import { byId, element, phone } from './dom.js';

const GAP = 12;
const EDGE = 8;

/** Shows a phrase (see words.js), what comes from outside isolated; what says so already is left alone. */
export function tell(target, phrase) {
	if (target.textContent !== phrase.flat().join('')) {
		target.replaceChildren(...phrase.map((part) => Array.isArray(part) ? element('bdi', {}, part) : part));
	}
}

export const focusOn = (target) => target.focus({ preventScroll: true });

/** To the cell of the grid that the arrows move. */
export const focusGrid = () => focusOn(document.querySelector('#grid [role="gridcell"][tabindex="0"]') ?? byId('grid'));

/** `anchor` gives the element that the card speaks of, if it is drawn; `close` is called for Escape. */
export function floating(store, card, anchor, close) {
	const grid = byId('grid');
	let frame = 0;

	function place() {
		frame = 0;
		if (card.hidden) {
			return;
		}
		const target = anchor()?.getBoundingClientRect();
		const { left, top } = grid.getBoundingClientRect();
		const right = left + grid.clientWidth;
		const head = top + Number(grid.dataset.head ?? 0);
		const { style, offsetWidth: width, offsetHeight: height } = card;
		if (phone.matches) {
			style.left = style.top = '';
			if (target) { /* the sheet must not hide it */
				grid.scrollTop += Math.max(0, Math.min(target.bottom + EDGE - innerHeight + height, target.top - head));
			}
			return;
		}
		if (!target && style.left) {
			return; /* it scrolled away */
		}
		const within = (value, low, high) => Math.max(low, Math.min(value, high));
		const box = target ?? new DOMRect((left + right - width) / 2, head);
		const edge = (x) => within(x, left + Number(grid.dataset.left ?? 0), right);
		let x = edge(box.right) + GAP;
		let y = box.top - GAP;
		if (x + width > right - EDGE) {
			x = edge(box.left) - GAP - width;
		}
		if (x < EDGE) {
			x = edge(box.right) - width;
			const above = box.top - GAP - height;
			y = box.bottom + GAP + height > innerHeight && above > head ? above : box.bottom + GAP;
		}
		style.left = `${within(x, EDGE, right - width - EDGE)}px`;
		style.top = `${within(y, top + EDGE, innerHeight - height - EDGE)}px`;
	}

	const soon = () => {
		frame ||= requestAnimationFrame(place);
	};
	grid.addEventListener('scroll', () => card.hidden || phone.matches || soon(), { passive: true });
	addEventListener('resize', soon);
	new ResizeObserver(soon).observe(card);
	store.on(soon, ['view', 'folded']);
	document.addEventListener('keydown', (event) => {
		const at = document.activeElement;
		if (event.key === 'Escape' && !card.hidden && !event.defaultPrevented && (at === document.body || at === grid || card.contains(at))) {
			event.preventDefault();
			close();
		}
	});

	return {
		show() {
			if (card.hidden) {
				card.style.left = '';
				card.hidden = false;
			}
			place();
			soon(); /* the grid may draw what it speaks of with the next frame */
		},
		hide() {
			const at = document.activeElement;
			const inside = !card.hidden && (at === document.body || card.contains(at));
			card.hidden = true;
			if (inside) {
				focusGrid();
			}
		},
	};
}
