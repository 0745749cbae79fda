/** A token that claims this, unsigned; times in seconds, as in every JWT. */
export const tokenOf = (claims: { readonly exp?: number; readonly iat?: number; readonly jti?: number }): string =>
  `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;
