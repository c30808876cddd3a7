// The CommonJS types, by require.
import prism = require('@futureagi/prism');

const client = new prism.Prism({ apiKey: 'x' });
const list: Promise<prism.ModelList> = client.models.list();
void [list, new prism.default()];
export = client;
