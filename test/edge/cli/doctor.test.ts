import { describe, expect, it } from 'vitest';
import { fakeBroker, fakeServer } from '../../forwarder/fake-broker.ts';
import { session } from './fake-gateway.ts';

describe('doctor kafka', () => {
  it('asks the configured brokers, without a running gateway, and ends with 0 when all is well', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: [{ id: 1, address: own }],
    }));
    const { port } = broker.address;
    const set = `forwarder.brokers=[127.0.0.1:${port}]`;
    const { code, output, errors } = await session(['doctor', 'kafka', '--set', set]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain(
      `ok     broker 1         advertises 127.0.0.1:${port}, and can be reached there\n`,
    );
    expect(output.endsWith('\nall is well\n')).toBe(true);
  });

  it('tells programs the same', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: [{ id: 1, address: own }],
    }));
    const set = `forwarder.brokers=[127.0.0.1:${broker.address.port}]`;
    const { output } = await session(['doctor', 'kafka', '--json', '--set', set]);
    expect(JSON.parse(output)).toMatchObject({
      findings: expect.arrayContaining([{ level: 'ok', about: 'broker 1', text: expect.any(String) }]),
    });
  });

  it('says what a metered link allows, and that this is no fault', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: [{ id: 1, address: own }],
    }));
    const sets = [
      `forwarder.brokers=[127.0.0.1:${broker.address.port}]`,
      'forwarder.hours=["00:00-24:00"]',
      'forwarder.bytesPerDay=20MB',
    ];
    const { code, output } = await session(['doctor', 'kafka', ...sets.flatMap((set) => ['--set', set])]);
    expect(code).toBe(0);
    expect(output).toMatch(
      /^ok +link +bulk sends 00:00-24:00 \(forwarder\.hours\); (it may now|bulk waits until)/m,
    );
    expect(output).toMatch(
      /^ok +link +bulk stops for the day when 20 MB are used \(forwarder\.bytesPerDay\)/m,
    );
  });

  it('ends with 0 when there is only a warning, and says so', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: [{ id: 1, address: own }],
      topics: ['gw1.headwater-checkpoint'],
      settings: { 'cleanup.policy': 'compact', 'segment.ms': '604800000' },
    }));
    const set = `forwarder.brokers=[127.0.0.1:${broker.address.port}]`;
    const { code, output } = await session(['doctor', 'kafka', '--set', 'gateway.name=gw1', '--set', set]);
    expect(code).toBe(0);
    expect(output).toMatch(
      /^warn {3}checkpoint +topic gw1\.headwater-checkpoint grows large with segment\.ms=604800000/m,
    );
    expect(output.endsWith('\nnothing is wrong, but there is 1 warning\n')).toBe(true);
  });

  it('asks --broker instead, prints what is wrong, and ends with 1', async () => {
    const gone = await fakeServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    const broker = `127.0.0.1:${gone.address.port}`;
    const set = 'forwarder.brokers=[kafka.invalid:9092]';
    const { code, output } = await session(['doctor', 'kafka', '--set', set, '--broker', broker]);
    expect(code).toBe(1);
    expect(output).toContain(`WRONG  ${broker}  the host refuses connections on this port`);
    expect(output.endsWith('\n1 thing is wrong\n')).toBe(true);
    expect(output).not.toContain('kafka.invalid');
  });

  it.each([
    [[], 'no cluster is configured: set forwarder.brokers, or name a broker with --broker host:port'],
    [['--broker', 'kafka1'], 'Write host:port, such as kafka1:9092.'],
    [['--broker', 'kafka1:0'], 'Write host:port, such as kafka1:9092.'],
  ])('ends with 2 when it is not told whom to ask: %j', async (parameters, words) => {
    const { code, errors } = await session(['doctor', 'kafka', ...parameters]);
    expect(code).toBe(2);
    expect(errors).toContain(words);
  });
});
