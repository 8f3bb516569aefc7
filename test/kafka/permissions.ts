import { type Acl, Connection, createAclsV3, deleteAclsV3 } from '@platformatic/kafka';

/** A line of `kafka-acls.sh --add`, by what it grants. */
export interface Permission {
  /** The operation and the resource: `Write gw1.`. */
  readonly name: string;
  /** What stands behind `--add`. */
  readonly parameters: readonly string[];
}

/** Every such line of a text, in its order. */
export function permissionsIn(text: string): Permission[] {
  const lines = text.matchAll(/^kafka-acls\.sh --bootstrap-server \S+ --add (.*)$/gm);
  return [...lines].map(([, line = '']) => {
    const parameters = line.split(' ');
    const { operation, resource } = meaning(parameters);
    return { name: `${operation} ${resource}`, parameters };
  });
}

function meaning(parameters: readonly string[]) {
  const after = (option: string): string | undefined => parameters[parameters.indexOf(option) + 1];
  const isTopic = parameters.includes('--topic');
  return {
    operation: after('--operation') ?? '',
    resource: after(isTopic ? '--topic' : '--transactional-id') ?? '',
    principal: after('--allow-principal') ?? '',
    isTopic,
    isPrefix: parameters.includes('prefixed'),
  };
}

/** Kafka's numbers. */
const operations: Readonly<Record<string, Acl['operation']>> = {
  Read: 3,
  Write: 4,
  Create: 5,
  Alter: 7,
  DescribeConfigs: 10,
};

/** Grants or revokes without starting a Java for it, as somebody who may do everything at this address. */
export async function change(
  address: string,
  { name, parameters }: Permission,
  how: 'grant' | 'revoke',
): Promise<void> {
  const { operation, resource, principal, isTopic, isPrefix } = meaning(parameters);
  const number = operations[operation];
  if (number === undefined) throw new Error(`${name}: no such operation`);
  const acl: Acl = {
    resourceType: isTopic ? 2 : 5,
    resourceName: resource,
    resourcePatternType: isPrefix ? 4 : 3,
    principal,
    host: '*',
    operation: number,
    permissionType: 3,
  };
  const [host = '', port] = address.split(':');
  const connection = new Connection('harness');
  connection.on('error', () => undefined);
  try {
    await connection.connect(host, Number(port));
    if (how === 'grant') await createAclsV3.api.async(connection, [acl]);
    else {
      const { filterResults } = await deleteAclsV3.api.async(connection, [acl]);
      if (filterResults[0]?.matchingAcls.length !== 1) throw new Error(`${name} was not granted`);
    }
  } finally {
    await connection.close();
  }
}
