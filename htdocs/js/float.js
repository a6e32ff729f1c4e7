/**
 * A card beside what it speaks of: right of it, else left, else under it, always inside the window. On a narrow page it is a sheet at the
 * foot. It takes the focus where it was asked for, and gives it back to the grid.
 */

import { byId, element } from './dom.js';

const GAP = 12;
const EDGE = 8;
const narrow = matchMedia('(max-width: 560px)');

/** Shows a phrase (see words.js); what comes from outside stands isolated. A live region is left alone where nothing changed. */
export function tell(target, phrase) {
	if (target.textContent !== phrase.flat().join('')) {
		target.replaceChildren(...phrase.filter((part) => part !== '').map((part) => Array.isArray(part) ? element('bdi', {}, part) : part));
	}
}

/** Back to the cell of the grid that the arrows move. */
export function focusGrid() {
	const cell = document.querySelector('#grid [role="gridcell"][tabindex="0"]') ?? byId('grid');
	/** @type {HTMLElement} */ (cell).focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} card
 * @param {() => Element|null|undefined} anchor  what the card speaks of
 * @param {() => void} close                     Escape was pressed
 */
export function floating(card, anchor, close) {
	const grid = byId('grid');
	let frame = 0;

	function place() {
		frame = 0;
		if (card.hidden) {
			return;
		}
		const { style } = card;
		const target = anchor()?.getBoundingClientRect();
		const area = grid.getBoundingClientRect();
		const view = {
			left: area.left + Number(grid.dataset.left ?? 0), right: area.left + grid.clientWidth,
			top: area.top + Number(grid.dataset.head ?? 0), bottom: area.top + grid.clientHeight,
		};
		if (narrow.matches) {
			style.left = style.top = '';
			const hidden = target ? Math.min(target.bottom - card.getBoundingClientRect().top + EDGE, target.top - view.top) : 0;
			if (hidden > 0) {
				grid.scrollTop += hidden;
			}
			return;
		}
		if (!target && style.left) {
			return; /* it scrolled away: the card stays where it is */
		}
		const within = (value, low, high) => Math.max(low, Math.min(value, high));
		const { offsetWidth: width, offsetHeight: height } = card;
		const rect = target ?? new DOMRect((view.left + view.right - width) / 2, view.top);
		const left = within(rect.left, view.left, view.right);
		const right = within(rect.right, view.left, view.right);
		const bottom = within(rect.bottom, view.top, view.bottom);
		let x = right + GAP;
		let y = rect.top - GAP;
		if (x + width > view.right - EDGE) {
			x = left - GAP - width;
			if (x < EDGE) {
				x = right - width;
				y = bottom + GAP + height > innerHeight - EDGE && rect.top - GAP - height > view.top ? rect.top - GAP - height : bottom + GAP;
			}
		}
		style.left = `${Math.round(within(x, EDGE, view.right - width - EDGE))}px`;
		style.top = `${Math.round(within(y, area.top + EDGE, innerHeight - height - EDGE))}px`;
	}

	const soon = () => {
		frame ||= requestAnimationFrame(place);
	};
	grid.addEventListener('scroll', () => !narrow.matches && soon(), { passive: true });
	addEventListener('resize', soon);
	new ResizeObserver(soon).observe(card);
	document.addEventListener('keydown', (event) => {
		const at = document.activeElement;
		if (event.key === 'Escape' && !card.hidden && !event.defaultPrevented && (at === document.body || at === grid || card.contains(at))) {
			event.preventDefault();
			close();
		}
	});

	return {
		place: soon,
		show() {
			if (card.hidden) {
				card.style.left = '';
				card.hidden = false;
			}
			place();
			soon(); /* the grid may draw what it speaks of only with the next frame */
		},
		hide() {
			if (!card.hidden) {
				const inside = card.contains(document.activeElement);
				card.hidden = true;
				if (inside || document.activeElement === document.body) {
					focusGrid();
				}
			}
		},
	};
}
