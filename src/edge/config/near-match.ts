/** Which of the names somebody probably meant: the same but for case, `-` and `_`, or within two typing errors. */
export function nearMatches(name: string, candidates: readonly string[]): readonly string[] {
  const wanted = normalized(name);
  const same = candidates.filter((candidate) => normalized(candidate) === wanted);
  if (same.length > 0) return same;
  const errorsMax = wanted.length <= 4 ? 1 : 2;
  return candidates.filter(
    (candidate) => typingErrors(wanted, normalized(candidate), errorsMax) <= errorsMax,
  );
}

const normalized = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, '');

/** Characters to insert, remove, replace or swap with their neighbour; `errorsMax + 1` stands for more. */
function typingErrors(a: string, b: string, errorsMax: number): number {
  if (Math.abs(a.length - b.length) > errorsMax) return errorsMax + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
