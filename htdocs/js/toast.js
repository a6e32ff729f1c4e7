/** Messages at the foot: what was done, with Undo; whether the server can be reached. */

import { byId, isTyping, setText } from './dom.js';
import { focusGrid, tell } from './float.js';
import { state, store } from './store.js';
import { troublePhrase } from './words.js';

const STAY_MS = 8000;

const box = byId('toast').firstElementChild;
const [words, button] = box.children;
let timer = 0;
let wasOffline = false;

/** It goes by itself, but not while somebody points at it or has it focused. */
function stay() {
	clearTimeout(timer);
	timer = setTimeout(() => box.matches(':hover, :focus-within') ? stay() : store.set({ message: null }), STAY_MS);
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

button.onclick = () => act();
document.addEventListener('keydown', (event) => {
	if ((event.ctrlKey || event.metaKey) && event.key === 'z' && !isTyping(event) && state.message?.undo) {
		event.preventDefault();
		act();
	}
});
store.on((changed) => {
	const { message, connection, trouble } = state;
	const offline = connection === 'offline';
	if (wasOffline && !offline && !message) {
		store.say('Connected again');
	}
	wasOffline = offline;
	const text = message?.text ?? (offline ? `${trouble} Trying again…` : '');
	const focused = box.contains(document.activeElement);
	box.hidden = !text;
	box.className = message ? message.tone ?? '' : 'bad';
	tell(words, [[text]]);
	button.hidden = !message?.undo && !message?.retry;
	setText(button, message?.undo ? 'Undo' : 'Retry');
	if (focused && button.hidden) {
		focusGrid();
	}
	if (message && changed.has('message')) {
		stay();
	}
}, ['message', 'connection', 'trouble']);
