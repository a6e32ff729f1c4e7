/** Making elements. Text goes in as text: nothing here, or anywhere else on the page, parses HTML. */

/**
 * An element with attributes, and children that are elements or text. What is null, undefined or false is left out.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== null && value !== undefined && value !== false) {
			made.setAttribute(name, value === true ? '' : String(value));
		}
	}
	made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ''));
	return made;
}

/**
 * The element of index.html with this id; it is a fault of ours when there is none. `any`, for callers know what element it is.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
	const found = document.getElementById(id);
	if (!found) {
		throw new Error(`index.html has no #${id}`);
	}
	return found;
}

/**
 * The element around an event that a selector names; null where there is none.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement|null}
 */
export function around(event, selector) {
	return event.target instanceof Element ? event.target.closest(selector) : null;
}

/** Class names from the keys whose value holds. */
export function classes(names) {
	return Object.keys(names).filter((name) => names[name]).join(' ');
}

/** Sets text only where it differs, so that a live region does not say the same thing twice. */
export function setText(target, text) {
	if (target.textContent !== text) {
		target.textContent = text;
	}
}

/** A narrow page, as the style sheets have it. */
export const phone = matchMedia('(max-width: 560px)');

/** Whether a key press is meant for a field, and not for the page. */
export function isTyping(event) {
	return around(event, 'input, select, textarea') !== null;
}

/** Whether a key alone was pressed, and meant for the page. */
export const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event);

/** Draws a path of logic.js's skyline, so many px wide, from `left` px on. */
export function setSkyline(svg, path, width, left) {
	svg.firstElementChild.setAttribute('d', path);
	svg.setAttribute('width', width);
	svg.style.marginLeft = `${left}px`;
}
