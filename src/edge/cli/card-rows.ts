import type { DeviceLife } from '../../core/storage-device.ts';
import type { CardStatus } from '../card-wear.ts';
import { bytesText, rounded } from './amounts.ts';

/** How far the card is worn, for people: what is counted, what that means, and what the device says itself. */
export function cardRows(card: CardStatus): readonly string[] {
  return [countedText(card), wornText(card), deviceText(card.device)];
}

function countedText({ deviceBytes, payloadBytes, deviceBytesPerPayloadByte }: CardStatus): string {
  const { journal, segments, other, metadata } = deviceBytes;
  const total = bytesText(journal + segments + other + metadata);
  const kinds = `journal ${bytesText(journal)}, segments ${bytesText(segments)}, other ${bytesText(other + metadata)}`;
  const ratio =
    deviceBytesPerPayloadByte === null
      ? 'too little payload yet to say what that is for each byte of it'
      : `${rounded(deviceBytesPerPayloadByte)} for each byte of the ${bytesText(payloadBytes)} payload`;
  return `${total} written in all runs (${kinds}): ${ratio}`;
}

function wornText({ endurance, usedShare, bytesPerDay, yearsLeft }: CardStatus): string {
  const rated = bytesText(endurance.bytes);
  const source = endurance.isEstimate
    ? `${rated} that a consumer card of 32 GB may take (set data.endurance to what yours is rated for)`
    : `the ${rated} of data.endurance`;
  const use = `estimate: ${rounded(100 * usedShare)} % of ${source} used`;
  if (bytesPerDay === null) return `${use}; the time left is told after an hour`;
  if (yearsLeft === null) return `${use}; nothing is written now`;
  return `${use}; at ${bytesText(bytesPerDay)} a day it lasts ${rounded(yearsLeft)} years more`;
}

function deviceText(device: CardStatus['device']): string {
  if (device === null)
    return 'the data folder has no block device that can be read (overlay, tmpfs, network): only the count above is known';
  const { name, isShared, bytesWritten, life } = device;
  const whose = isShared ? 'by everybody: the system is on it as well' : 'the data has it to itself';
  return `device ${name} was given ${bytesText(bytesWritten)} in this run (${whose})${lifeText(life)}`;
}

function lifeText(life: DeviceLife | null): string {
  if (life === null) return '';
  const { usedShareMax, reserve } = life;
  const share = usedShareMax > 1 ? 'more than 100 %' : `at most ${Math.round(100 * usedShareMax)} %`;
  return `; by its own count ${share} of its life used${reserve === null ? '' : `, its reserve is ${reserve}`}`;
}
