/** Messages at the foot: what was done, with Undo, and whether the server can be reached. */

import { byId, isTyping, setText } from './dom.js';
import { focusGrid, tell } from './float.js';
import { troublePhrase } from './words.js';

const STAY_MS = 8000;

export function mountToast(/** @type {import('./store.js').Store} */ store) {
	const { state } = store;
	const box = byId('toast-box');
	const button = byId('toast-undo');
	let timer = 0;
	let wasOffline = false;

	function show() {
		const { message, connection, trouble } = state;
		const text = message?.text ?? (connection === 'offline' ? `${trouble} Trying again…` : '');
		const had = box.contains(document.activeElement);
		box.hidden = text === '';
		box.classList.toggle('bad', message ? message.tone === 'bad' : connection === 'offline');
		tell(byId('toast-text'), [[text]]);
		button.hidden = !message?.undo && !message?.retry;
		setText(button, message?.undo ? 'Undo' : 'Retry');
		if (had && (box.hidden || button.hidden)) {
			focusGrid();
		}
		stay();
	}

	/** Goes after a while, but not while somebody points at it or has it focused. */
	function stay() {
		clearTimeout(timer);
		const { message } = state;
		if (message) {
			timer = setTimeout(() => box.matches(':hover') || box.contains(document.activeElement) ? stay() : store.set({ message: null }), STAY_MS);
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
		if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === 'z' && !isTyping(event) && state.message?.undo) {
			event.preventDefault();
			act();
		}
	});
	store.on((_, changed) => {
		if (changed.has('connection')) {
			if (wasOffline && state.connection === 'live' && !state.message) {
				store.say('Connected again');
			}
			wasOffline = state.connection === 'offline';
		}
		if (changed.has('message') || changed.has('connection') || changed.has('trouble')) {
			show();
		}
	});
}
