<?php
// Installs WordPress as its installer does, and lets visitors register.
$_SERVER['HTTP_HOST'] = '127.0.0.1';
define('WP_INSTALLING', true);
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('A blog', 'admin', 'admin@example.com', true, '', 'password');
update_option('users_can_register', 1);
