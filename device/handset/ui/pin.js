// The PIN pad: keys large enough for gloves, no keyboard over half the screen.  What is typed is not shown, only how much.
import { h, t } from './dom.js';

const LEAST = 4;
const MOST = 8;

export function pinPad(status, { say, local, redraw }) {
  const { pin } = local;
  if (pin.checking && status.wrong_pins !== pin.wrong) Object.assign(pin, { checking: false, refused: true });
  const press = (key) => {
    if (pin.checking) return;
    if (key === 'back') pin.digits = pin.digits.slice(0, -1);
    else if (pin.digits.length < MOST) pin.digits += key;
    pin.refused = false;
    redraw();
  };
  const send = () => {
    if (pin.digits.length < LEAST || pin.checking) return;
    const { digits } = pin;
    Object.assign(pin, { digits: '', checking: true, refused: false, wrong: status.wrong_pins });
    say('cancel', digits).then((answer) => { if (!answer.ok) Object.assign(pin, { checking: false, refused: true }); redraw(); });
    redraw();
  };
  const leave = () => { local.pin = null; redraw(); };
  const typed = (event) => {
    if (/^[0-9]$/.test(event.key)) press(event.key);
    else if (event.key === 'Backspace') press('back');
    else if (event.key === 'Escape') leave();
    else if (event.key === 'Enter' && event.target.tagName !== 'BUTTON') send();
    else return;
    event.preventDefault();
  };
  const key = (label, act, attributes = {}) => h('button', { type: 'button', onclick: act, ...attributes }, label);
  return h('section', { id: 'pin-pad', class: 'panel pin', role: 'group', tabindex: '-1', 'aria-label': t('pin'), onkeydown: typed },
    h('p', { class: 'row' }, h('strong', {}, t('pin')),
      h('span', { id: 'pin-shown', class: 'shown', role: 'status', 'aria-label': t('pin_digits', { n: pin.digits.length }) }, '●'.repeat(pin.digits.length) || '–')),
    h('p', { id: 'pin-said', class: pin.refused ? 'bad' : 'note', role: 'status' }, pin.checking ? t('pin_checking') : pin.refused ? t('pin_wrong') : ''),
    h('div', { class: 'keys' }, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => key(String(digit), () => press(String(digit)), { id: `pin-${digit}` })),
      key('⌫', () => press('back'), { id: 'pin-back', 'aria-label': t('pin_back') }), key('0', () => press('0'), { id: 'pin-0' }),
      key(t('ok'), send, { id: 'pin-ok', class: 'go', disabled: pin.digits.length < LEAST || pin.checking === true })),
    key(t('cancel'), leave, { id: 'pin-leave', class: 'quiet' }));
}
