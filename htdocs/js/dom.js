/** Making elements. Text goes in as text: nothing here, or anywhere else on the page, parses HTML. */

const isGiven = (value) => value !== null && value !== undefined && value !== false;

/** An element with attributes, and children that are elements or text. What is null, undefined or false is left out. @returns {HTMLElement} */
export function element(tag, attributes = {}, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		isGiven(value) && made.setAttribute(name, value === true ? '' : value);
	}
	made.append(...children.flat().filter((child) => isGiven(child) && child !== ''));
	return made;
}

/** The element of index.html with this id; it is a fault of ours when there is none. @returns {any}  callers know what element it is */
export function byId(id) {
	const found = document.getElementById(id);
	if (!found) {
		throw new Error(`index.html has no #${id}`);
	}
	return found;
}

/** The element around an event that a selector names; null where there is none. @returns {HTMLElement|null} */
export const around = ({ target }, selector) => target instanceof Element ? target.closest(selector) : null;

/** Class names from the keys whose value holds. */
export const classes = (names) => Object.keys(names).filter((name) => names[name]).join(' ');

/** Sets text only where it differs, so that a live region does not say the same thing twice. */
export function setText(target, text) {
	if (target.textContent !== text) {
		target.textContent = text;
	}
}

/** A narrow page, as the style sheets have it. */
export const phone = matchMedia('(max-width: 560px)');

/** Whether a key press is meant for a field, and not for the page. */
export const isTyping = (event) => around(event, 'input, select, textarea') !== null;

/** Whether a key alone was pressed, and meant for the page. */
export const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event);

/** Gives a function that tells whether what it is called with differs from the time before. */
export function watch() {
	let before = /** @type {any[]} */ ([]);
	return (...values) => {
		const differs = values.length !== before.length || values.some((value, index) => value !== before[index]);
		before = values;
		return differs;
	};
}

/**
 * Keeps in the Map `drawn` the elements for the `wanted` numbers, one for each of `places`, made where they are new and put in their order.
 * What has the focus stays, out of the way, until it has it no more.
 */
export function keep(drawn, wanted, places, make) {
	for (const [key, parts] of drawn) {
		const away = !wanted.includes(key);
		parts.forEach((part) => part.classList.toggle('away', away));
		if (away && !parts[0].contains(document.activeElement)) {
			parts.forEach((part) => part.remove());
			drawn.delete(key);
		}
	}
	let after = places.map(() => null);
	for (const key of [...new Set([...wanted, ...drawn.keys()])].sort((a, b) => b - a)) {
		if (!drawn.has(key)) {
			const parts = make(key);
			drawn.set(key, parts);
			places.forEach((place, index) => place.insertBefore(parts[index], after[index]));
		}
		after = drawn.get(key) ?? after;
	}
}

/** Takes all that is drawn out of the document. */
export function drop(drawn) {
	drawn.forEach((parts) => parts.forEach((part) => part.remove()));
	drawn.clear();
}

/** Fills what lies below a step function: values of `most`, `width` px each, from `left` px on. */
export function setSkyline(svg, values, most, width, left) {
	const height = svg.getAttribute('height');
	let path = `M0 ${height}`;
	values.forEach((value, index) => {
		if (value !== values[index - 1]) {
			path += `H${(index * width).toFixed(1)}V${((1 - value / (most || 1)) * height).toFixed(1)}`;
		}
	});
	svg.firstElementChild.setAttribute('d', `${path}H${(values.length * width).toFixed(1)}V${height}Z`);
	svg.setAttribute('width', values.length * width);
	svg.style.marginLeft = `${left}px`;
}
