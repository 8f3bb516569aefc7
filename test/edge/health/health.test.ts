import { expect, test } from 'vitest';
import {
  freshHealth,
  type Health,
  type HealthCommand,
  type HealthEvent,
  healthStep,
} from '../../../src/edge/health/health.ts';

/** What is to be done at each of these events, beginning with a gateway whose disk has answered three times. */
function commandsOf(...events: readonly HealthEvent[]): readonly (readonly HealthCommand[])[] {
  let health: Health = freshHealth(3);
  return events.map((event) => {
    const step = healthStep(health, event);
    health = step.health;
    return step.commands;
  });
}

const look = (nowMs: number, answers: number, refusesAndWaits = false): HealthEvent => ({
  kind: 'look',
  nowMs,
  answers,
  refusesAndWaits,
});
const checked = (answers: number): HealthEvent => ({ kind: 'checked', answers });
const notChecked: HealthEvent = { kind: 'not-checked' };

test('a commit since the last look is the proof, and nothing is written for it', () => {
  expect(commandsOf(look(1, 4), look(2, 9), look(3, 10))).toEqual([['alive'], ['alive'], ['alive']]);
});

test('without one a check is made, and it is alive when that is durable', () => {
  expect(commandsOf(look(1, 3), checked(4), look(2, 4), checked(5))).toEqual([
    ['check'],
    ['alive'],
    ['check'],
    ['alive'],
  ]);
});

test('a check that does not complete within a period is told once, and nothing says that it is alive', () => {
  expect(commandsOf(look(1, 3), look(2, 3), look(3, 3), look(4, 3))).toEqual([
    ['check'],
    ['tell-stuck'],
    [],
    [],
  ]);
});

test('whatever completes after all ends that: the check, or other commits', () => {
  expect(commandsOf(look(1, 3), look(2, 3), checked(4), look(3, 5))).toEqual([
    ['check'],
    ['tell-stuck'],
    ['alive', 'tell-moving'],
    ['alive'],
  ]);
  expect(commandsOf(look(1, 3), look(2, 3), look(3, 4), look(4, 4), checked(5))).toEqual([
    ['check'],
    ['tell-stuck'],
    ['alive', 'tell-moving'],
    // The one under way is still that: no second one.
    [],
    ['alive'],
  ]);
});

test('a log whose budget is used up is healthy, and is not written to', () => {
  expect(commandsOf(look(1, 3, true), look(2, 3, true))).toEqual([['alive'], ['alive']]);
  expect(commandsOf(look(1, 3), look(2, 3), look(3, 3, true), look(4, 3), look(5, 3))).toEqual([
    ['check'],
    ['tell-stuck'],
    ['alive', 'tell-moving'],
    [],
    ['tell-stuck'],
  ]);
});

test('a check that the log does not take, because too much waits already, is tried again and proves nothing', () => {
  expect(commandsOf(look(1, 3), notChecked, look(2, 3), notChecked, look(3, 4))).toEqual([
    ['check'],
    [],
    ['check', 'tell-stuck'],
    [],
    ['alive', 'tell-moving'],
  ]);
});
