/*
 * 1. Whatever in the file is an authority's is trusted for itself, with or without those above it: PARTIAL_CHAIN.
 * 2. Each certificate of a chain is looked for on the lists. Nobody has to have one that speaks for the trusted one at its end.
 * 3. A list that is too old says nothing: then nobody counts for whom it would speak.
 */
#include "authorities.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Certificates between a client's and the trusted one. */
#define BETWEEN_MOST 8

struct authorities {
  enum client_certificates rule;
  uint64_t number;
  char *text;
  char *lists_text;
  X509_STORE *store;
  STACK_OF(X509) *all;
  STACK_OF(X509_CRL) *lists;
  int users;
};

/* --- what they are made of */

static const X509_NAME *name_of(const X509 *authority) { return X509_get_subject_name(authority); }

/* As people write it, without control characters. */
static void write_name(const X509_NAME *name, char *text, size_t room) {
  BIO *out = BIO_new(BIO_s_mem());
  int length = 0;
  if (out != NULL && X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
    length = BIO_read(out, text, (int)room - 1);
  text[length > 0 ? length : 0] = 0;
  BIO_free(out);
}

static bool refuse(const char *form, const X509_NAME *name, char *why, size_t room) {
  char text[200];
  write_name(name, text, sizeof text);
  snprintf(why, room, form, text);
  return false;
}

static bool say(const char *what, char *why, size_t room) {
  snprintf(why, room, "%s", what);
  return false;
}

/* The end of the text, and not what stands in the middle of it and cannot be read. */
static bool is_at_end(void) {
  bool is = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return is;
}

static bool read_authorities(struct authorities *to, char *why, size_t room) {
  BIO *source = BIO_new_mem_buf(to->text, -1);
  X509 *each;
  bool good = source != NULL;
  while (good && (each = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL) {
    if (X509_check_ca(each) == 0) good = refuse("tlsClientCa has %s, which is no authority: it may sign no certificates", name_of(each), why, room);
    else good = X509_STORE_add_cert(to->store, each) == 1 && sk_X509_push(to->all, each) > 0;
    if (!good) X509_free(each);
  }
  BIO_free(source);
  if (!good) return false;
  if (!is_at_end()) return say("tlsClientCa has a certificate that cannot be read", why, room);
  return sk_X509_num(to->all) > 0 || say("tlsClientCa has no certificate", why, room);
}

/* Who has signed this list; NULL: none of them. */
static X509 *signer_of(const struct authorities *authorities, X509_CRL *list) {
  for (int i = 0; i < sk_X509_num(authorities->all); i++) {
    X509 *each = sk_X509_value(authorities->all, i);
    bool is_named = X509_NAME_cmp(name_of(each), X509_CRL_get_issuer(list)) == 0;
    if (is_named && X509_CRL_verify(list, X509_get0_pubkey(each)) == 1) return each;
  }
  return NULL;
}

static bool has_list(const struct authorities *authorities, const X509 *authority) {
  for (int i = 0; i < sk_X509_CRL_num(authorities->lists); i++) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(sk_X509_CRL_value(authorities->lists, i)), name_of(authority)) == 0) return true;
  }
  return false;
}

static bool read_lists(struct authorities *to, char *why, size_t room) {
  BIO *source = BIO_new_mem_buf(to->lists_text, -1);
  X509_CRL *each;
  bool good = source != NULL;
  while (good && (each = PEM_read_bio_X509_CRL(source, NULL, NULL, NULL)) != NULL) {
    if (signer_of(to, each) == NULL)
      good = refuse("tlsClientCrl has a list by %s, which no authority in tlsClientCa has signed", X509_CRL_get_issuer(each), why, room);
    else if (X509_CRL_get0_nextUpdate(each) == NULL)
      good = refuse("tlsClientCrl has a list by %s that does not say until when it holds", X509_CRL_get_issuer(each), why, room);
    else good = X509_STORE_add_crl(to->store, each) == 1 && sk_X509_CRL_push(to->lists, each) > 0;
    if (!good) X509_CRL_free(each);
  }
  BIO_free(source);
  if (!good) return false;
  if (!is_at_end()) return say("tlsClientCrl has a list that cannot be read", why, room);
  for (int i = 0; i < sk_X509_num(to->all); i++) {
    const X509 *authority = sk_X509_value(to->all, i);
    if (!has_list(to, authority))
      return refuse("tlsClientCrl has no list by %s, so that none of its clients could be let in", name_of(authority), why, room);
  }
  return X509_STORE_set_flags(to->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

/*
 * That no list speaks for a certificate, or only one of somebody above it, who is not in the chain: then OpenSSL finds fault with the list, whose
 * signature was checked when it was read, and looks the certificate up in it all the same.
 */
static bool is_unlisted(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER || error == X509_V_ERR_DIFFERENT_CRL_SCOPE ||
         error == X509_V_ERR_CRL_PATH_VALIDATION_ERROR || error == X509_V_ERR_CRL_SIGNATURE_FAILURE;
}

/* See 2 above. */
static int let_trusted_be(int good, X509_STORE_CTX *at) {
  bool is_last = X509_STORE_CTX_get_error_depth(at) == sk_X509_num(X509_STORE_CTX_get0_chain(at)) - 1;
  if (good || !is_last || !is_unlisted(X509_STORE_CTX_get_error(at))) return good;
  X509_STORE_CTX_set_error(at, X509_V_OK);
  return 1;
}

struct authorities *new_authorities(enum client_certificates rule, const char *certificates, const char *lists, char *why, size_t room) {
  static uint64_t numbers = 0;
  snprintf(why, room, "there is no memory");
  ERR_clear_error();
  struct authorities *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  *made = (struct authorities){
      .rule = rule,
      .number = __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED),
      .text = strdup(certificates),
      .lists_text = lists == NULL ? NULL : strdup(lists),
      .store = X509_STORE_new(),
      .all = sk_X509_new_null(),
      .lists = sk_X509_CRL_new_null(),
      .users = 1,
  };
  bool good = made->text != NULL && (made->lists_text != NULL) == (lists != NULL) && made->store != NULL && made->all != NULL && made->lists != NULL;
  good = good && read_authorities(made, why, room) && (lists == NULL || read_lists(made, why, room));
  ERR_clear_error();
  if (good) {
    X509_STORE_set_flags(made->store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_set_verify_cb(made->store, let_trusted_be);
    return made;
  }
  drop_authorities(made);
  return NULL;
}

struct authorities *share_authorities(struct authorities *authorities) {
  if (authorities != NULL) __atomic_add_fetch(&authorities->users, 1, __ATOMIC_RELAXED);
  return authorities;
}

void drop_authorities(struct authorities *authorities) {
  if (authorities == NULL || __atomic_sub_fetch(&authorities->users, 1, __ATOMIC_ACQ_REL) > 0) return;
  free(authorities->text);
  free(authorities->lists_text);
  X509_STORE_free(authorities->store);
  sk_X509_pop_free(authorities->all, X509_free);
  sk_X509_CRL_pop_free(authorities->lists, X509_CRL_free);
  free(authorities);
}

static bool same_text(const char *one, const char *other) {
  return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool are_the_same(const struct authorities *one, const struct authorities *other) {
  if (one == NULL || other == NULL) return one == other;
  return one->rule == other->rule && same_text(one->text, other->text) && same_text(one->lists_text, other->lists_text);
}

enum client_certificates rule_of(const struct authorities *authorities) { return authorities->rule; }

uint64_t number_of(const struct authorities *authorities) { return authorities->number; }

/* --- asked for, and judged */

/*
 * A client without a certificate, or with one that does not count, gets its answer from JavaScript, in words. What comes first is what is
 * wrong: nothing is looked at behind it.
 */
static int verify_and_go_on(X509_STORE_CTX *at, void *nothing) {
  (void)nothing;
  if (X509_verify_cert(at) != 1 && X509_STORE_CTX_get_error(at) == X509_V_OK) X509_STORE_CTX_set_error(at, X509_V_ERR_UNSPECIFIED);
  /* What it leaves in the queue would be taken for a fault of the connection, also where the outcome is good. */
  ERR_clear_error();
  return 1;
}

bool ask_clients(SSL_CTX *context, const struct authorities *authorities) {
  static const unsigned char ID[] = "pipegate";
  STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
  bool good = names != NULL;
  for (int i = 0; good && i < sk_X509_num(authorities->all); i++) {
    X509_NAME *name = X509_NAME_dup(name_of(sk_X509_value(authorities->all, i)));
    good = name != NULL && sk_X509_NAME_push(names, name) > 0;
    if (!good) X509_NAME_free(name);
  }
  if (!good || SSL_CTX_set_session_id_context(context, ID, sizeof ID - 1) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return false;
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set1_cert_store(context, authorities->store);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_verify_depth(context, BETWEEN_MOST);
  SSL_CTX_set_cert_verify_callback(context, verify_and_go_on, NULL);
  return true;
}

static int64_t seconds_of(const ASN1_TIME *time) {
  struct tm parts;
  return time != NULL && ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static int64_t sooner(int64_t one, int64_t other) { return one < other ? one : other; }

int64_t good_until(const struct authorities *authorities, const STACK_OF(X509) *chain) {
  if (chain == NULL || sk_X509_num(chain) == 0) return 0;
  int64_t until = INT64_MAX;
  for (int i = 0; i < sk_X509_num(chain); i++) {
    const X509 *each = sk_X509_value(chain, i);
    until = sooner(until, seconds_of(X509_get0_notAfter(each)));
    for (int j = 0; j < sk_X509_CRL_num(authorities->lists); j++) {
      const X509_CRL *list = sk_X509_CRL_value(authorities->lists, j);
      bool speaks = X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(each)) == 0;
      if (speaks) until = sooner(until, seconds_of(X509_CRL_get0_nextUpdate(list)));
    }
  }
  return until;
}

int verify_again(const struct authorities *authorities, X509 *shown, STACK_OF(X509) *between, int64_t *until) {
  int outcome = X509_V_ERR_OUT_OF_MEM;
  *until = INT64_MAX;
  X509_STORE_CTX *at = X509_STORE_CTX_new();
  if (at != NULL && X509_STORE_CTX_init(at, authorities->store, shown, between) == 1) {
    /* As a handshake does. */
    X509_STORE_CTX_set_default(at, "ssl_client");
    X509_STORE_CTX_set_depth(at, BETWEEN_MOST);
    verify_and_go_on(at, NULL);
    outcome = X509_STORE_CTX_get_error(at);
    if (outcome == X509_V_OK) *until = good_until(authorities, X509_STORE_CTX_get0_chain(at));
  }
  X509_STORE_CTX_free(at);
  ERR_clear_error();
  return outcome;
}
