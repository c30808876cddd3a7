// Generated from openapi/openapi.json. Do not edit.
export const VERSION = '0.1.0';
