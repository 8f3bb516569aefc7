/** The architectures there are packages for, as Debian names them, with Node's name for each. */
export const nodeNames = { arm64: 'arm64', amd64: 'x64' } as const;

export type Architecture = keyof typeof nodeNames;

export const architectures = Object.keys(nodeNames) as readonly Architecture[];

export const isArchitecture = (name: string): name is Architecture => Object.hasOwn(nodeNames, name);
