<?php
// What WordPress is told in a wp-config.php: where its database is, and where it answers. The environment says both.
define('DB_NAME', getenv('DB_NAME'));
define('DB_USER', getenv('DB_USER'));
define('DB_PASSWORD', getenv('DB_PASSWORD'));
define('DB_HOST', getenv('DB_HOST'));
define('WP_HOME', getenv('HOME_URL'));
define('WP_SITEURL', getenv('HOME_URL'));
// What its installer draws at random.
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define($name . '_KEY', "a key of $name that is not a secret");
    define($name . '_SALT', "a salt of $name that is not a secret");
}
// It asks no public site for updates.
define('WP_HTTP_BLOCK_EXTERNAL', true);
