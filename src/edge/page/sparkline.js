/* The recent course of a series in the height of a line of text. It says nothing that the value beside it does not: nobody has it read aloud. */

const width = 96;
const height = 22;
const margin = 2;
const namespace = 'http://www.w3.org/2000/svg';

/** The path through the values, from the left to the right; null breaks it. Pure. @param {readonly (number | null)[]} values */
export function sparklinePath(values) {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length < 2) return '';
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const step = (width - 2 * margin) / Math.max(1, values.length - 1);
  let isDown = false;
  let path = '';
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const share = high === low ? 0.5 : (value - low) / (high - low);
    const x = margin + index * step;
    const y = height - margin - share * (height - 2 * margin);
    path += `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
  }
  return path;
}

/** An empty one, and how it is drawn. */
export function sparkline() {
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('class', 'sparkline');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  svg.append(path);
  return {
    node: svg,
    /** @param {readonly (number | null)[]} values */
    draw(values) {
      path.setAttribute('d', sparklinePath(values));
    },
  };
}
