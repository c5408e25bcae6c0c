// A real OpenID Connect provider for the tests (npm: oidc-provider), with a way to turn its keys
// over and to sign what a provider never would. Reads its setup as JSON from standard input.
import fs from 'node:fs';
import crypto from 'node:crypto';
import https from 'node:https';

const setup = JSON.parse(fs.readFileSync(0, 'utf8'));
const { Provider } = await import(`${setup.modules}/oidc-provider/lib/index.js`);

const made = {};
// The keys come from outside: Node's own key generation can lock itself up when the garbage
// collector meets it (its job and an export of the key take the same mutex).
const pair = (kid, alg) => {
  const privateKey = crypto.createPrivateKey(setup.keys[kid]);
  made[kid] = { privateKey, jwk: { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
  return made[kid];
};
pair('first', 'RS256');
pair('second', 'ES256');
pair('stranger', 'RS256');

const issuer = `https://localhost:${setup.port}`;
const serving = (kids) =>
  new Provider(issuer, {
    jwks: { keys: kids.map((kid) => made[kid].jwk) },
    clients: Object.keys(setup.clients).map((client_id) => ({
      client_id,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: made[kids[0]].jwk.alg,
    })),
    extraTokenClaims: (_, token) => setup.clients[token.clientId],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'enrol',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 86400,
          jwt: { sign: { alg: made[kids[0]].jwk.alg } },
        }),
      },
    },
  }).callback();

const encoded = (value) => Buffer.from(value).toString('base64url');
// A JWS (RFC 7515) with whatever header and claims, by whatever key.
const forge = ({ header, claims, by }) => {
  const signed = `${encoded(JSON.stringify(header))}.${encoded(JSON.stringify(claims))}`;
  if (by === 'nobody') return `${signed}.`;
  if (by.startsWith('public:')) {
    const key = made[by.slice(7)].privateKey;
    const spki = crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' });
    return `${signed}.${crypto.createHmac('sha256', spki).update(signed).digest('base64url')}`;
  }
  const key = { key: made[by].privateKey, dsaEncoding: 'ieee-p1363' };
  return `${signed}.${crypto.sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
};

let answer = serving(['first']);
const tls = { key: fs.readFileSync(setup.key), cert: fs.readFileSync(setup.certificate) };
const server = https.createServer(tls, async (request, response) => {
  if (!request.url.startsWith('/test/')) return answer(request, response);
  let body = '';
  for await (const part of request) body += part;
  const wanted = JSON.parse(body);
  if (request.url === '/test/keys') answer = serving(wanted);
  response.end(request.url === '/test/forge' ? forge(wanted) : 'done');
});
server.listen(setup.port, 'localhost', () => console.log('listening'));
