// "It was a mistake": the PIN, and what came of it.
import { minutes, t } from './dom.js';
import { keypad } from './keypad.js';

export function pinPad(status, { say, local, redraw }) {
  const { pin } = local;
  const wait = status.vault?.wait_ms ?? 0;
  if (pin.checking && status.wrong_pins !== pin.wrong) Object.assign(pin, { checking: false, refused: true });
  const send = (digits) => {
    Object.assign(pin, { checking: true, refused: false, wrong: status.wrong_pins });
    say('cancel', digits).then((answer) => { if (!answer.ok) Object.assign(pin, { checking: false, refused: true }); redraw(); });
    redraw();
  };
  const said = pin.checking ? t('pin_checking') : wait ? t('vault_wait', { time: minutes(wait) }) : pin.refused ? t(status.vault?.said === 'disk' ? 'vault_said_disk' : 'pin_wrong') : '';
  return keypad({ id: 'pin-pad', prefix: 'pin', title: t('pin'), pin, said, bad: (pin.refused || wait > 0) && !pin.checking, send,
    leave: () => { local.pin = null; redraw(); }, redraw });
}
