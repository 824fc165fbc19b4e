// A pad of ten keys for a PIN: keys large enough for gloves, no keyboard over half the screen.  What is typed is not shown, only how much.
import { h, t } from './dom.js';

const LEAST = 4;
const MOST = 8;

// PIN: { digits, checking }, the caller's, drawn again by redraw().  SAID: what stands under the digits, BAD in red.
//   id      of the section (focus goes there); prefix of the keys' ids
//   send    called with the digits; leave: the way back
export function keypad({ id, prefix, title, pin, said, bad, send, leave, redraw }) {
  const press = (key) => {
    if (pin.checking) return;
    if (key === 'back') pin.digits = pin.digits.slice(0, -1);
    else if (pin.digits.length < MOST) pin.digits += key;
    pin.refused = false;
    redraw();
  };
  const done = () => {
    if (pin.digits.length < LEAST || pin.checking) return;
    const { digits } = pin;
    pin.digits = '';
    send(digits);
  };
  const typed = (event) => {
    if (/^[0-9]$/.test(event.key)) press(event.key);
    else if (event.key === 'Backspace') press('back');
    else if (event.key === 'Escape') leave();
    else if (event.key === 'Enter' && event.target.tagName !== 'BUTTON') done();
    else return;
    event.preventDefault();
  };
  const key = (label, act, attributes = {}) => h('button', { type: 'button', onclick: act, ...attributes }, label);
  return h('section', { id, class: 'panel pin', role: 'group', tabindex: '-1', 'aria-label': title, onkeydown: typed },
    h('p', { class: 'row' }, h('strong', {}, title),
      h('span', { id: `${prefix}-shown`, class: 'shown', role: 'status', 'aria-label': t('pin_digits', { n: pin.digits.length }) }, '●'.repeat(pin.digits.length) || '–')),
    h('p', { id: `${prefix}-said`, class: bad ? 'bad' : 'note', role: 'status' }, said),
    h('div', { class: 'keys' }, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => key(String(digit), () => press(String(digit)), { id: `${prefix}-${digit}` })),
      key('⌫', () => press('back'), { id: `${prefix}-back`, 'aria-label': t('pin_back') }), key('0', () => press('0'), { id: `${prefix}-0` }),
      key(t('ok'), done, { id: `${prefix}-ok`, class: 'go', disabled: pin.digits.length < LEAST || pin.checking === true })),
    key(t('cancel'), leave, { id: `${prefix}-leave`, class: 'quiet' }));
}
