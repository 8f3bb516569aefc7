import { describe, expect, test } from 'vitest';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';

const gateway = 'gw1';

describe('the mapping of topics', () => {
  test('puts the name of the gateway before theirs, unless it is told otherwise', () => {
    const topics = ['*'];
    expect(new TopicMapping({ gateway, topics }).centralTopic('readings')).toBe('gw1.readings');
    const named = (template: string) =>
      new TopicMapping({ gateway, site: 'lab', template, topics }).centralTopic('a.b');
    expect(named('{site}.{gateway}.{topic}')).toBe('lab.gw1.a.b');
    expect(named('{topic}')).toBe('a.b');
    expect(named('iot-{topic}-{gateway}')).toBe('iot-a.b-gw1');
  });

  test('keeps the checkpoints where they are, whatever topics are called', () => {
    const mapping = new TopicMapping({ gateway, template: 'x-{topic}', topics: ['*'] });
    expect(mapping.checkpointTopic).toBe('gw1.headwater-checkpoint');
  });

  test.each<[string, readonly string[], boolean]>([
    ['readings', ['*'], true],
    ['readings', ['read*'], true],
    ['readings', ['*ing'], false],
    ['readings', ['r*d*s'], true],
    ['a.b', ['a.*'], true],
    ['aXb', ['a.*'], false],
    ['aXb', ['a.b'], false],
    ['private.x', ['*', '!private.*'], false],
    ['private.x', ['!private.*', 'private.x'], false],
    ['readings', ['*', '!private.*'], true],
    ['readings', ['!private.*'], false],
    ['gaps', ['readings', '!gaps'], true],
    ['gaps', [], false],
    ['headwater-checkpoint', ['*'], false],
  ])('mirrors %s by %j: %s', (topic, topics, expected) => {
    expect(new TopicMapping({ gateway, topics }).isMirrored(topic)).toBe(expected);
  });

  test('never mirrors a topic over the checkpoints', () => {
    const mapping = new TopicMapping({ gateway, template: '{topic}', topics: ['*'] });
    expect(mapping.isMirrored('gw1.headwater-checkpoint')).toBe(false);
    expect(mapping.isMirrored('gw2.headwater-checkpoint')).toBe(true);
  });

  test('knows its own topics in the cluster', () => {
    const mapping = new TopicMapping({ gateway, template: 'iot-{topic}-{gateway}', topics: ['*'] });
    expect(mapping.isCentral('iot-a-gw1')).toBe(true);
    expect(mapping.isCentral('iot--gw1')).toBe(false);
    expect(mapping.isCentral('iot-a-gw2')).toBe(false);
    expect(mapping.isCentral('gw1.headwater-checkpoint')).toBe(true);
  });
});
