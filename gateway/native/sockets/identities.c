/*
 * Mozilla's "intermediate" recommendation (https://wiki.mozilla.org/Security/Server_Side_TLS): TLS 1.2 and 1.3, forward secrecy and
 * authenticated encryption only. What else there is of TLS, and is left out: renegotiation, compression, early data, which
 * somebody could send again, and sessions that are kept here. Clients resume by tickets.
 *
 * Of the ciphers the cheapest is taken, unless the client would rather have ChaCha, which is cheaper for who cannot do AES in hardware. Groups of
 * finite fields are left out: a client that asks for the longest one has its server compute for milliseconds.
 */
#include "identities.h"
#include "clients.h"
#include "records.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of all certificates that a client shows, in octets. A ticket has one of them in it, and at most 64 KiB. */
#define SHOWN_MOST (32 * 1024)

static const char CIPHERS[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static const char CIPHERS_OF_1_3[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/* P-521 is for those whose certificates are on it. The first one came with OpenSSL 3.5. */
static const char GROUPS[] = "X25519MLKEM768:X25519:P-256:P-384:P-521";
static const char OLDER_GROUPS[] = "X25519:P-256:P-384:P-521";

struct name {
  char *text;
  SSL_CTX *context;
};

struct identities {
  /* For those who ask for none of the names. */
  SSL_CTX *usual;
  SSL_CTX *last;
  struct name *names;
  size_t count;
  SSL_CTX **all;
  size_t contexts;
  /* NULL: clients are not asked. */
  struct authorities *authorities;
  int place;
  /* Whoever is in the middle of choosing, and the process, which uses them. */
  int users;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* From 1 on. */
static struct identities *present[PLACES];
static bool is_taken[PLACES];
/* number_of() the authorities there. Read without the lock. */
static uint64_t present_rules[PLACES];

/* --- what they are made of */

struct identities *new_identities(struct authorities *authorities) {
  struct identities *identities = calloc(1, sizeof *identities);
  if (identities == NULL) {
    drop_authorities(authorities);
    return NULL;
  }
  identities->users = 1;
  identities->authorities = authorities;
  return identities;
}

void drop_identities(struct identities *identities) {
  if (identities == NULL) return;
  for (size_t i = 0; i < identities->count; i++) free(identities->names[i].text);
  for (size_t i = 0; i < identities->contexts; i++) SSL_CTX_free(identities->all[i]);
  drop_authorities(identities->authorities);
  free(identities->names);
  free(identities->all);
  free(identities);
}

/* Makes room for one more. */
static bool grow(void **all, size_t count, size_t each) {
  void *grown = realloc(*all, (count + 1) * each);
  if (grown == NULL) return false;
  *all = grown;
  return true;
}

static void explain(const char *what, char *why, size_t room) {
  unsigned long code = ERR_peek_last_error();
  const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
  snprintf(why, room, "%s%s%s", what, reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
  ERR_clear_error();
}

static bool use_chain(SSL_CTX *context, const char *chain) {
  BIO *source = BIO_new_mem_buf(chain, -1);
  X509 *own = source == NULL ? NULL : PEM_read_bio_X509(source, NULL, NULL, NULL);
  bool good = own != NULL && SSL_CTX_use_certificate(context, own) == 1;
  X509_free(own);
  X509 *next;
  while (good && (next = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL) {
    good = SSL_CTX_add0_chain_cert(context, next) == 1;
    if (!good) X509_free(next);
  }
  BIO_free(source);
  /* That there is no further one is an error of the reader. */
  if (good) ERR_clear_error();
  return good;
}

static bool use_key(SSL_CTX *context, const char *text) {
  BIO *source = BIO_new_mem_buf(text, -1);
  EVP_PKEY *key = source == NULL ? NULL : PEM_read_bio_PrivateKey(source, NULL, NULL, NULL);
  bool good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
  EVP_PKEY_free(key);
  BIO_free(source);
  return good;
}

/* HTTP/1.1, or a refusal in words: a client that speaks HTTP/2 only would else be answered in a language that it does not know. */
static int choose_protocol(SSL *session, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                           unsigned in_length, void *nothing) {
  static const unsigned char SPOKEN[] = "\x08http/1.1\x08http/1.0";
  unsigned char *found;
  (void)session;
  (void)nothing;
  int outcome = SSL_select_next_proto(&found, out_length, SPOKEN, sizeof SPOKEN - 1, in, in_length);
  *out = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- names */

bool add_name(struct identities *identities, const char *name) {
  char *text = strdup(name);
  if (text == NULL || !grow((void **)&identities->names, identities->count, sizeof *identities->names)) {
    free(text);
    return false;
  }
  identities->names[identities->count++] = (struct name){text, identities->last};
  return true;
}

static SSL_CTX *find(const struct identities *identities, const char *wanted) {
  const char *rest = strchr(wanted, '.');
  SSL_CTX *wild = NULL;
  for (size_t i = 0; i < identities->count; i++) {
    const struct name *name = &identities->names[i];
    if (strcasecmp(name->text, wanted) == 0) return name->context;
    if (rest != NULL && name->text[0] == '*' && strcasecmp(name->text + 1, rest) == 0) wild = name->context;
  }
  return wild;
}

/* `of` is what the connection began with, which may be others than are in use by now. */
static int choose_identity(SSL *session, int *alert, void *of) {
  (void)alert;
  const char *wanted = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  SSL_CTX *found = wanted == NULL ? NULL : find(of, wanted);
  if (found != NULL && found != SSL_get_SSL_CTX(session)) SSL_set_SSL_CTX(session, found);
  /* Tells a client that its name was understood. */
  return found == NULL ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

/* --- contexts */

static SSL_CTX *new_context(struct identities *identities) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (context == NULL) return NULL;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_cipher_list(context, CIPHERS);
  SSL_CTX_set_ciphersuites(context, CIPHERS_OF_1_3);
  if (SSL_CTX_set1_groups_list(context, GROUPS) != 1) SSL_CTX_set1_groups_list(context, OLDER_GROUPS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  keep_with_tickets(context);
  SSL_CTX_set_max_cert_list(context, SHOWN_MOST);
  /* Buffers of a connection that says nothing are given back: 34 KiB. */
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_msg_callback(context, count_talk);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
  SSL_CTX_set_tlsext_servername_callback(context, choose_identity);
  SSL_CTX_set_tlsext_servername_arg(context, identities);
  return context;
}

bool add_identity(struct identities *identities, const char *chain, const char *key, char *why, size_t room) {
  ERR_clear_error();
  SSL_CTX *context = new_context(identities);
  const struct authorities *authorities = identities->authorities;
  const char *fault = NULL;
  if (context == NULL) fault = "there is no memory";
  else if (!use_chain(context, chain)) fault = "the certificate cannot be used";
  else if (!use_key(context, key)) fault = "the key cannot be used";
  else if (authorities != NULL && !ask_clients(context, authorities)) fault = "clients cannot be asked for certificates";
  else if (!grow((void **)&identities->all, identities->contexts, sizeof *identities->all)) fault = "there is no memory";
  if (fault != NULL) {
    explain(fault, why, room);
    SSL_CTX_free(context);
    return false;
  }
  identities->all[identities->contexts++] = context;
  identities->last = context;
  if (identities->usual == NULL) identities->usual = context;
  return true;
}

/* --- in use */

int new_place(void) {
  pthread_mutex_lock(&lock);
  int place = 1;
  while (place < PLACES && is_taken[place]) place++;
  if (place < PLACES) is_taken[place] = true;
  pthread_mutex_unlock(&lock);
  return place < PLACES ? place : 0;
}

static struct identities *take_present(int place) {
  pthread_mutex_lock(&lock);
  struct identities *identities = present[place];
  if (identities != NULL) identities->users++;
  pthread_mutex_unlock(&lock);
  return identities;
}

static void let_go(struct identities *identities) {
  pthread_mutex_lock(&lock);
  bool is_over = identities != NULL && --identities->users == 0;
  pthread_mutex_unlock(&lock);
  if (is_over) drop_identities(identities);
}

void use_identities(int place, struct identities *identities) {
  if (place <= 0 || place >= PLACES) return;
  pthread_mutex_lock(&lock);
  struct identities *before = present[place];
  present[place] = identities;
  is_taken[place] = identities != NULL;
  if (identities != NULL) {
    identities->place = place;
    /* Whom they have let in they would let in again. */
    if (before != NULL && are_the_same(before->authorities, identities->authorities)) {
      drop_authorities(identities->authorities);
      identities->authorities = share_authorities(before->authorities);
    }
  }
  const struct authorities *authorities = identities == NULL ? NULL : identities->authorities;
  __atomic_store_n(&present_rules[place], authorities == NULL ? 0 : number_of(authorities), __ATOMIC_RELEASE);
  pthread_mutex_unlock(&lock);
  let_go(before);
}

SSL *new_session(int place) {
  struct identities *identities = take_present(place);
  if (identities == NULL) return NULL;
  SSL *session = SSL_new(identities->usual);
  /* The names that it may ask for are these as long as it lives. */
  if (session == NULL || SSL_set_app_data(session, identities) != 1) {
    let_go(identities);
    SSL_free(session);
    return NULL;
  }
  return session;
}

void end_session(SSL *session) {
  if (session == NULL) return;
  struct identities *identities = SSL_get_app_data(session);
  SSL_free(session);
  let_go(identities);
}

/* --- the authorities of clients */

struct authorities *authorities_of(const SSL *session) {
  const struct identities *own = SSL_get_app_data(session);
  return own->authorities;
}

struct authorities *take_authorities(const SSL *session) {
  const struct identities *own = SSL_get_app_data(session);
  pthread_mutex_lock(&lock);
  const struct identities *now = present[own->place];
  struct authorities *authorities = now == NULL ? NULL : share_authorities(now->authorities);
  pthread_mutex_unlock(&lock);
  return authorities;
}

uint64_t rules_now(const SSL *session) {
  const struct identities *own = SSL_get_app_data(session);
  return __atomic_load_n(&present_rules[own->place], __ATOMIC_ACQUIRE);
}
