import { topicDecoders } from '../topic-decoders.ts';
import type { CommandContext } from './command-context.ts';
import { bytesInHex, type CommandLine } from './command-line.ts';
import { testRoute } from './routes.ts';

interface RouteTestOptions {
  readonly payload?: string;
  readonly payloadHex?: Uint8Array;
  readonly json?: true;
}

/** Adds `routes` with its command. */
export function addRoutes(program: CommandLine, { terminal, config, endWith }: CommandContext): void {
  program
    .command('routes')
    .description('where MQTT messages go')
    .command('test')
    .description('show where a message would go by mqtt.routes; exit code 1 if none of them stands for it')
    .argument('<mqtt-topic>')
    .option('--payload <text>', 'a payload, to look for the time of the device in, and to decode')
    .option('--payload-hex <digits>', 'the same, of bytes in hexadecimal digits', bytesInHex)
    .option('--json', 'as one JSON object')
    .action(async (mqttTopic: string, { payload, payloadHex, json }: RouteTestOptions) => {
      const { routes, limits: allowed } = (await config()).mqtt;
      const test = {
        routes,
        topicBytesMax: allowed.topicBytesMax,
        mqttTopic,
        decoders: topicDecoders(routes),
        payload: payload === undefined ? payloadHex : Buffer.from(payload),
        json: json === true,
      };
      endWith(await testRoute(test, terminal));
    });
}
