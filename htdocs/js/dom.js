/** Making elements. Text goes in as text: nothing here, or anywhere else on the page, parses HTML. */

/**
 * An element with attributes, and children that are elements or text. A name of null, undefined or false is left out.
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== null && value !== undefined && value !== false) {
            made.setAttribute(name, value === true ? '' : value);
        }
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== false && child !== ''));
    return made;
}

/** The element of index.html with this id; it is a fault of ours when there is none. */
export function byId(id) {
    const found = document.getElementById(id);
    if (!found) {
        throw new Error(`index.html has no #${id}`);
    }
    return found;
}

/**
 * The element around an event that a selector names; null where there is none.
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
