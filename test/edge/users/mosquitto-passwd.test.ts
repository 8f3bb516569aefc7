import { expect, test } from 'vitest';
import { readPasswdFile } from '../../../src/edge/users/mosquitto-passwd.ts';

const hash = `${'A'.repeat(86)}==`;

test('both formats are read; a later line for a name counts, as in Mosquitto', () => {
  const text = `# devices\nold:$6$c2FsdA==$${hash}\r\n\nnew:$7$101$c2FsdA==$${hash}\nold:$7$1000$b3RoZXI=$${hash}`;
  expect(readPasswdFile(text)).toEqual({
    users: [
      { name: 'old', password: { scheme: 'pbkdf2-sha512', iterations: 1000, salt: 'b3RoZXI=', hash } },
      { name: 'new', password: { scheme: 'pbkdf2-sha512', iterations: 101, salt: 'c2FsdA==', hash } },
    ],
  });
  expect(readPasswdFile(`a:$6$c2FsdA==$${hash}\n`)).toEqual({
    users: [{ name: 'a', password: { scheme: 'sha512', salt: 'c2FsdA==', hash } }],
  });
});

test('what is none is told with its line, but not what stands there', () => {
  const lines = [
    'pump:plain',
    'pump',
    `:$6$c2FsdA==$${hash}`,
    `a:$5$c2FsdA==$${hash}`,
    `a:$7$0$c2FsdA==$${hash}`,
    `a:$7$9999999$c2FsdA==$${hash}`,
    `a:$7$101$c2FsdA==$${hash.slice(4)}`,
  ];
  const read = readPasswdFile(lines.join('\n'));
  const problems = 'problems' in read ? read.problems : [];
  expect(problems.map((problem) => problem.split(':')[0])).toEqual(
    lines.map((_, index) => `line ${index + 1}`),
  );
  expect(problems.join()).toContain('mosquitto_passwd -U');
  expect(problems.join()).not.toMatch(/plain|AAAA/);
});
