/** Messages at the foot: what was done, with Undo; whether the server can be reached. */

import { byId, isTyping, setText } from './dom.js';
import { focusGrid, tell } from './float.js';
import { troublePhrase } from './words.js';
import { state, store } from './store.js';

const STAY_MS = 8000;

const box = byId('toast').firstElementChild;
const button = byId('toast-undo');
let timer = 0;
let wasOffline = false;

function show() {
	const { message, connection, trouble } = state;
	const text = message?.text ?? (connection === 'offline' ? `${trouble} Trying again…` : '');
	const focused = box.contains(document.activeElement);
	box.hidden = text === '';
	box.className = message?.tone ?? (message ? '' : 'bad');
	tell(box.firstElementChild, [[text]]);
	button.hidden = !message?.undo && !message?.retry;
	setText(button, message?.undo ? 'Undo' : 'Retry');
	if (focused && (box.hidden || button.hidden)) {
		focusGrid();
	}
}

/** It goes by itself, but not while somebody points at it or has it focused. */
function stay() {
	clearTimeout(timer);
	if (state.message) {
		timer = setTimeout(() => box.matches(':hover, :focus-within') ? stay() : store.set({ message: null }), STAY_MS);
	}
}

async function act(message = state.message) {
	store.set({ message: null });
	try {
		await message?.undo?.();
		message?.retry?.();
	} catch (error) {
		store.say(troublePhrase(error).flat().join(''), { tone: 'bad', retry: () => act(message) });
	}
}

button.addEventListener('click', () => act());
document.addEventListener('keydown', (event) => {
	if ((event.ctrlKey || event.metaKey) && event.key === 'z' && !isTyping(event) && state.message?.undo) {
		event.preventDefault();
		act();
	}
});
store.on((changed) => {
	if (changed.has('connection')) {
		if (wasOffline && state.connection === 'live' && !state.message) {
			store.say('Connected again');
		}
		wasOffline = state.connection === 'offline';
	}
	show();
	if (changed.has('message')) {
		stay();
	}
}, ['message', 'connection', 'trouble']);
