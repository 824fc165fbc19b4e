// When the region opened the position that this phone had sealed: at once, until it was read; then in a list behind a button.
import { clock, day, h, t } from './dom.js';

const WHYS = ['alert', 'overdue', 'timer'];

// "Your": in this duty; who carried a shared phone before is somebody else.
function sentence(one, { duty }) {
  const yours = duty.state === 'on' && one.at_ms >= duty.since_ms;
  const why = t(`opened_why_${WHYS.includes(one.why) ? one.why : 'other'}`);
  return h('p', {}, t(yours ? 'opened_yours' : 'opened_phone', { day: day(one.at_ms), time: clock(one.at_ms), why }));
}

export function openings(status, { say, local, redraw }) {
  const fresh = status.opened.filter(({ read }) => !read);
  const open = local.open === 'opened-all';
  const turn = () => { local.open = open ? null : 'opened-all'; redraw(); };
  if (!status.opened.length) return null;
  return h('section', { id: 'opened', class: 'opened' },
    fresh.length ? h('div', { id: 'opened-new', class: 'panel', role: 'status' }, ...fresh.map((one) => sentence(one, status)),
      h('button', { id: 'opened-read', type: 'button', class: 'wide', onclick: () => say('opened-read', String(fresh[0].at_ms)) }, t('opened_read'))) : null,
    h('button', { id: 'opened-all', type: 'button', class: 'quiet', 'aria-expanded': String(open), onclick: turn }, t('opened_all', { n: status.opened.length })),
    open ? h('div', { id: 'opened-all-panel', class: 'panel' }, h('p', { class: 'note' }, t('opened_help')), ...status.opened.map((one) => sentence(one, status))) : null);
}
