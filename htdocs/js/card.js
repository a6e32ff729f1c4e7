/** The card that says what a booking is: beside its bar, or a sheet at the foot of a narrow page. */

import { byId, element } from './dom.js';
import { barWindow, stateOf } from './logic.js';
import { datedMomentOf, localWindow } from './time.js';

const GAP = 12;

/** `onPointer(inside)` is told when the pointer enters or leaves the card, so that it can be read at leisure. */
export function mountCard(onPointer) {
    const card = byId('card');
    let owner = null;

    card.addEventListener('pointerenter', () => onPointer(true));
    card.addEventListener('pointerleave', () => onPointer(false));

    function rows(bar, week) {
        const [start, end] = barWindow(bar);
        const utc = `${datedMomentOf(start, week)} – ${datedMomentOf(end, week, true)}`;
        const local = localWindow(start, end);
        return [
            ['UTC', utc, ''],
            local && ['Local', local, ''],
            ['Node', bar.node, ''],
            [bar.gpus.length === 1 ? 'GPU' : 'GPUs', bar.gpus.join(', '), 'many'],
            ['Booking', String(bar.id), ''],
        ].filter(Boolean).flatMap(([name, value, style]) => [
            element('dt', {}, name),
            element('dd', { class: style || null, dir: 'auto' }, value),
        ]);
    }

    function place(button) {
        const bar = button.getBoundingClientRect();
        const { offsetWidth: width, offsetHeight: height } = card;
        const page = document.documentElement;
        let left = bar.right + GAP;
        let top = bar.top;
        if (left + width > page.clientWidth - GAP) { /* no room on the right: under it, right edges flush */
            left = Math.min(bar.right, page.clientWidth - GAP) - width;
            top = bar.bottom + 6;
        }
        if (top + height > page.clientHeight - GAP) {
            top = left > bar.right ? page.clientHeight - GAP - height : bar.top - 6 - height;
        }
        card.style.left = `${Math.max(GAP, left) + scrollX}px`;
        card.style.top = `${Math.max(GAP, top) + scrollY}px`;
    }

    return {
        /** Shows a bar's card, or hides it (null). */
        show(bar, button, week, now) {
            owner?.removeAttribute('aria-describedby');
            owner = button;
            card.hidden = bar === null;
            if (bar === null) {
                return;
            }
            card.replaceChildren(
                element('p', { class: 'card-title' }, element('bdi', {}, bar.who),
                    element('span', { class: bar.priority }, `${bar.priority[0].toUpperCase()}${bar.priority.slice(1)} priority`)),
                element('p', { class: 'card-state' }, stateOf(bar, now)),
                element('dl', {}, ...rows(bar, week)));
            button.setAttribute('aria-describedby', card.id);
            place(button);
        },
    };
}
