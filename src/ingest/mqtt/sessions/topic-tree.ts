/** What a subscription says, beside its filter. */
export interface Subscribed {
  readonly clientId: string;
  readonly topic: string;
  readonly qos: number;
}

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  readonly values: Map<string, Value>;
}

const newNode = <Value>(): Node<Value> => ({ children: new Map(), values: new Map() });

/** Topic filters with who has them, and which of them a topic matches: level by level, by the rules of [MQTT-4.7]. */
export class TopicTree<Value extends Subscribed> {
  readonly #root = newNode<Value>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Enters a subscription, instead of what the client had under this filter. */
  set(value: Value): void {
    let node = this.#root;
    for (const level of value.topic.split('/')) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = newNode();
        node.children.set(level, child);
      }
      node = child;
    }
    if (!node.values.has(value.clientId)) this.#size++;
    node.values.set(value.clientId, value);
  }

  /** Takes a client's subscription away; no error if there is none. */
  delete(filter: string, clientId: string): void {
    this.#delete(this.#root, filter.split('/'), 0, clientId);
  }

  /** All subscriptions that the topic matches; several of a client if its filters overlap. */
  match(topic: string): Value[] {
    const found: Value[] = [];
    if (this.#size > 0) collect(this.#root, topic.split('/'), 0, found);
    return found;
  }

  /** Whether the node is empty now, so that its parent forgets it. */
  #delete(node: Node<Value>, levels: readonly string[], depth: number, clientId: string): boolean {
    const level = levels[depth];
    if (level === undefined) {
      if (node.values.delete(clientId)) this.#size--;
    } else {
      const child = node.children.get(level);
      if (child !== undefined && this.#delete(child, levels, depth + 1, clientId))
        node.children.delete(level);
    }
    return node.children.size === 0 && node.values.size === 0;
  }
}

function collect<Value>(node: Node<Value>, levels: readonly string[], depth: number, found: Value[]): void {
  // No wildcard at the beginning stands for a `$` topic [MQTT-4.7.2-1].
  const isWild = depth > 0 || !levels[0]?.startsWith('$');
  // Of `a` as well as of what is below it.
  if (isWild) found.push(...(node.children.get('#')?.values.values() ?? []));
  const level = levels[depth];
  if (level === undefined) {
    found.push(...node.values.values());
    return;
  }
  const children = [isWild && level !== '+' ? node.children.get('+') : undefined, node.children.get(level)];
  for (const child of children) if (child !== undefined) collect(child, levels, depth + 1, found);
}
